"""Finding or making MongoDB and RabbitMQ: named by URL, in containers, or as local binaries."""
