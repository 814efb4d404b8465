"""python -m services.goals prepare | web | worker | parked | republish | keys"""

from services.goals.app import service

service.run()
