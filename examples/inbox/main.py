from app import start

start.run()
