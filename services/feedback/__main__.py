"""python -m services.feedback prepare | web | worker | parked | republish"""

from services.feedback.app import service

service.run()
