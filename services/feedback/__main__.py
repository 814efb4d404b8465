"""python -m services.feedback prepare | web | worker | parked | republish | keys"""

from services.feedback.app import service

service.run()
