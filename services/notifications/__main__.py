"""python -m services.notifications prepare | web | worker | parked | republish | keys"""

from services.notifications.app import service

service.run()
