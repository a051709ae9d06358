"""What each screen shows and does, on Kivy's events alone: no window, no drawing."""
