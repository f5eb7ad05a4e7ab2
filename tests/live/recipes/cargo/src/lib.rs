use std::sync::{Barrier, Mutex};

pub struct Bank {
    accounts: [Mutex<i64>; 2],
    meeting: Option<Barrier>,
}

impl Bank {
    pub fn new(meeting: Option<Barrier>) -> Bank {
        Bank { accounts: [Mutex::new(100), Mutex::new(100)], meeting }
    }

    #[inline(never)]
    pub fn transfer(&self, from: usize, to: usize, amount: i64) {
        let mut source = self.accounts[from].lock().unwrap();
        if let Some(meeting) = &self.meeting {
            meeting.wait();
            if let Ok(mark) = std::env::var("HANG_MARK") {
                std::fs::write(mark, "").unwrap();
            }
        }
        let mut target = self.accounts[to].lock().unwrap();
        *source -= amount;
        *target += amount;
    }

    pub fn balance(&self, account: usize) -> i64 {
        *self.accounts[account].lock().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes() {
        let bank = Bank::new(None);
        bank.transfer(0, 1, 10);
        println!("shown with --nocapture");
        assert_eq!(bank.balance(1), 110);
    }

    #[test]
    #[should_panic]
    fn panics() {
        Bank::new(None).balance(2);
    }

    #[test]
    #[ignore = "no branch nearby"]
    fn skips() {}

    #[test]
    fn fails() {
        assert_eq!(Bank::new(None).balance(0), 1, "money from nowhere");
    }

    #[test]
    fn hangs() {
        let bank = Bank::new(Some(Barrier::new(2)));
        std::thread::scope(|scope| {
            scope.spawn(|| bank.transfer(0, 1, 10));
            bank.transfer(1, 0, 10);
        });
    }
}
