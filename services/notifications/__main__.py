"""python -m services.notifications prepare | web | worker | parked | republish"""

from services.notifications.app import service

service.run()
