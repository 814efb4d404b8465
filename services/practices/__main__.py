"""python -m services.practices prepare | web | worker | open | …

Besides: register-app, rotate-app-secret, rotate-keys, renew-look-ups, renew-contacts, sample.
"""

from services.practices.app import service

if __name__ == "__main__":
    service.run()
