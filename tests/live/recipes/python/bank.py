import ctypes
import os

_library = ctypes.CDLL(os.path.join(os.path.dirname(os.path.abspath(__file__)), "libbank.so"))
transfer = _library.transfer
balance = _library.balance
meet = _library.meet
