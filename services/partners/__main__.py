"""python -m services.partners prepare | web | worker | sender | parked | republish | keys"""

from services.partners.app import service

service.run()
