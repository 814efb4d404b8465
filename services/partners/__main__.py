"""python -m services.partners prepare | web | worker | sender | parked | republish"""

from services.partners.app import service

service.run()
