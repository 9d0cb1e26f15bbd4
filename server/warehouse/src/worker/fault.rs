//! Faults on demand, by name, for tests: `query:3` ends the process at the third request, before it runs.

/// Where a worker goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    point: String,
    /// Counts from 1.
    nth: u64,
}

impl Fault {
    /// `point` or `point:nth`; an empty text is no fault. Points: `start`, `query`, `answer` end the process there;
    /// `noise` prints on standard output and standard error before the request; `hang` never comes back.
    pub(super) fn parse(text: &str) -> Self {
        let (point, nth) = text.split_once(':').unwrap_or((text, "1"));
        Self { point: point.to_owned(), nth: nth.parse().unwrap_or(1) }
    }

    /// Called where things may go wrong.
    pub(super) fn at(&self, point: &str, nth: u64) {
        if point == "query" && nth == self.nth {
            match self.point.as_str() {
                "noise" => {
                    println!("noise on standard output");
                    eprintln!("noise on standard error");
                }
                "hang" => loop {
                    std::thread::park();
                },
                _ => {}
            }
        }
        if self.point == point && self.nth == nth {
            eprintln!("fault `{point}`, as asked for");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn faults_have_a_name_and_a_number() {
        assert_eq!(Fault::parse("query:3"), Fault { point: "query".into(), nth: 3 });
        assert_eq!(Fault::parse("start"), Fault { point: "start".into(), nth: 1 });
        Fault::parse("").at("query", 1);
        Fault::parse("query:3").at("query", 2);
    }
}
