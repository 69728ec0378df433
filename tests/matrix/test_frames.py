"""The app in a frame of a learning platform, over https, in a real Chromium.

All of it runs when it is named (pytest tests/matrix/test_frames.py); every run takes the strictest case.
"""
