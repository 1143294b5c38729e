import app.start

app.start.main()
