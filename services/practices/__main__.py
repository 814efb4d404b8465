"""python -m services.practices prepare | web | worker | open | register-app | rotate-keys | sample"""

from services.practices.app import service

if __name__ == "__main__":
    service.run()
