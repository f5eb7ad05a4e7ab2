import threading
import unittest

import bank


class BankTest(unittest.TestCase):
    def test_passes(self):
        before = bank.balance(1)
        bank.transfer(0, 1, 10)
        self.assertEqual(bank.balance(1), before + 10)

    def test_fails(self):
        self.assertEqual(bank.balance(0), 1000, "money from nowhere")

    @unittest.skip("no branch nearby")
    def test_skips(self):
        pass

    def test_hangs(self):
        bank.meet(2)
        threading.Thread(target=bank.transfer, args=(0, 1, 10), daemon=True).start()
        bank.transfer(1, 0, 10)
