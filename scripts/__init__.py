"""The toolchain and the platform on one machine; what has a `main` is run as `python -m scripts.<name>`."""
