"""The parts that screens are made of. Importing a module here needs OpenGL only once a widget is made.

Drawing rules met the hard way (Kivy 2.3.1): in canvas code use x, y, width and height, since alias properties such as
`top` and `right` may be stale inside a `pos` or `size` callback; a line's width must be above 0; Smooth* instructions
have no round ends, so discs are put there.
"""
