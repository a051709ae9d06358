"""The patient's phone: signs in, shows the program, follows the live session, asks how it felt.

Importing this package loads no Kivy; `environment.prepare` must run before the first import that does.
"""
