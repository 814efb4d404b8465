"""python -m services.goals prepare | web | worker | parked | republish"""

from services.goals.app import service

service.run()
