//! Accounts on every rank that are paid into: each sum must come out to the last unit, though the accounts' ranks die.

use crate::Outcome;
use mobula::prelude::*;

const ACCOUNTS: usize = 8;
const PAYMENTS: u64 = 1000;

/// Nobody waits longer: a call that is never answered is a failure, and no hang.
const PATIENCE: Duration = Duration::from_secs(40);

/// An account. Where its rank dies it is opened again elsewhere with the balance that its owner, the driver, keeps.
pub struct Account {
    balance: u64,
}

#[mobula::actor(checkpoint, max_restarts = 1000, max_task_retries = 1000)]
impl Account {
    pub fn new() -> Self {
        Account { balance: 0 }
    }
    /// Takes its time, so that ranks die in the midst of calls.
    pub fn pay(&mut self, amount: u64) -> u64 {
        std::thread::sleep(Duration::from_micros(500)); // what a call takes
        self.balance += amount;
        self.balance
    }
    pub fn rank(&self) -> u32 {
        mobula::context().rank()
    }
    fn save(&self) -> u64 {
        self.balance
    }
    fn restore(balance: u64) -> Self {
        Account { balance }
    }
}

fn homes(accounts: &[AccountHandle]) -> mobula::Result<Vec<u32>> {
    let told: Vec<_> = accounts.iter().map(|account| account.rank()).collect();
    told.iter().map(|rank| rank.get_timeout(PATIENCE).map(|rank| *rank)).collect()
}

fn paid() -> mobula::Result<Outcome> {
    let open = || Account::options().place(Placement::Spread).remote();
    let accounts: Vec<AccountHandle> = (0..ACCOUNTS).map(|_| open()).collect();
    let before = homes(&accounts)?;
    let mut balance = 0;
    for payment in 1..=PAYMENTS {
        balance += payment;
        let paid: Vec<_> = accounts.iter().map(|account| account.pay(payment)).collect();
        for (number, told) in paid.iter().enumerate() {
            let told = *told.get_timeout(PATIENCE)?;
            if told != balance {
                return Ok(Err(format!("after payment {payment} account {number} has {told}, and not {balance}")));
            }
        }
    }
    let moved = homes(&accounts)?.iter().zip(before).filter(|(now, before)| *now != before).count();
    Ok(Ok(format!("{ACCOUNTS} accounts of {balance}, {moved} of them elsewhere than they were opened")))
}

pub fn run() -> Outcome {
    paid().map_err(|error| error.to_string())?
}
