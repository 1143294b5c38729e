URL = "http://192.168.1.10/releases"
READINGS = 3
