//! Rounds over the texts of a class, and what is printed of them.

use std::fmt::{self, Display};
use std::time::Duration;

use anyhow::Result;

use crate::parsers::Parser;

/// Texts that are measured together.
pub(crate) struct Class<'a> {
    /// What they have in common.
    pub(crate) name: &'static str,
    /// In their order.
    pub(crate) texts: Vec<&'a str>,
}

/// Which texts each parser takes without an error.
pub(crate) fn clean(parsers: &mut [Box<dyn Parser>], texts: &[String]) -> Result<Vec<Vec<bool>>> {
    parsers.iter_mut().map(|p| p.clean(texts)).collect()
}

/// The figures of a class, the first parser's first.
pub(crate) struct Figures {
    class: &'static str,
    texts: usize,
    bytes: usize,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    clean: usize,
    /// Of all texts, each at its median.
    total: Duration,
    /// Of a text.
    p50: Duration,
    /// By the first parser's time: the median round, the least and the most.
    ratio: [f64; 3],
}

/// `rounds` rounds over one class.
pub(crate) fn measure(class: &Class<'_>, parsers: &mut [Box<dyn Parser>], rounds: usize) -> Result<Figures> {
    let owned: Vec<String> = class.texts.iter().map(|t| (*t).to_owned()).collect();
    let clean = clean(parsers, &owned)?;
    let mut times: Vec<Vec<Vec<Duration>>> = vec![Vec::new(); parsers.len()];
    for _ in 0..rounds {
        for (parser, times) in parsers.iter_mut().zip(&mut times) {
            times.push(parser.pass(&class.texts)?);
        }
    }
    let sums: Vec<Vec<f64>> =
        times.iter().map(|t| t.iter().map(|pass| sum(pass).as_secs_f64()).collect()).collect();
    let row = |n: usize| {
        let each: Vec<Duration> =
            (0..class.texts.len()).map(|t| median(times[n].iter().map(|pass| pass[t]))).collect();
        let mut ratios: Vec<f64> =
            sums[n].iter().zip(&sums[0]).map(|(theirs, first)| theirs / first).collect();
        ratios.sort_by(f64::total_cmp);
        Row {
            name: parsers[n].name().to_owned(),
            clean: clean[n].iter().filter(|c| **c).count(),
            total: sum(&each),
            p50: median(each.iter().copied()),
            ratio: [ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1]],
        }
    };
    let bytes = class.texts.iter().map(|t| t.len()).sum();
    Ok(Figures {
        class: class.name,
        texts: class.texts.len(),
        bytes,
        rows: (0..parsers.len()).map(row).collect(),
    })
}

fn sum(times: &[Duration]) -> Duration {
    times.iter().sum()
}

/// The upper one of two middle ones; zero of nothing.
fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

impl Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}: {} texts, {} bytes", self.class, self.texts, self.bytes)?;
        writeln!(
            f,
            "  {:<28} {:>15} {:>9} {:>11}   time by ours, median (least, most)",
            "", "clean", "MB/s", "p50"
        )?;
        for row in &self.rows {
            let share = 100.0 * row.clean as f64 / self.texts as f64;
            let speed = self.bytes as f64 / 1e6 / row.total.as_secs_f64();
            let p50 = row.p50.as_secs_f64() * 1e6;
            let [ratio, least, most] = row.ratio;
            let clean = format!("{} {share:>5.1} %", row.clean);
            write!(f, "  {:<28} {clean:>15} {speed:>9.3} {p50:>8.1} µs", row.name)?;
            writeln!(f, "   {ratio:.2} ({least:.2}, {most:.2})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes as long as it is told, for a text of any kind.
    struct Fixed(u64);

    impl Parser for Fixed {
        fn name(&self) -> &str {
            "fixed"
        }

        fn clean(&mut self, texts: &[String]) -> Result<Vec<bool>> {
            Ok(texts.iter().map(|t| t.len() > 3).collect())
        }

        fn pass(&mut self, texts: &[&str]) -> Result<Vec<Duration>> {
            Ok(texts.iter().map(|t| Duration::from_micros(self.0 * t.len() as u64)).collect())
        }
    }

    #[test]
    fn figures_are_of_each_text_and_ratios_of_the_first_parser() {
        let mut parsers: Vec<Box<dyn Parser>> = vec![Box::new(Fixed(1)), Box::new(Fixed(4))];
        let class = Class { name: "some", texts: vec!["abcd", "ab", "abcdef"] };
        let figures = measure(&class, &mut parsers, 3).expect("figures").to_string();
        let rows: Vec<&str> = figures.lines().map(str::trim_end).collect();
        assert_eq!(rows[1], "some: 3 texts, 12 bytes");
        assert!(rows[3].ends_with("2  66.7 %     1.000      4.0 µs   1.00 (1.00, 1.00)"), "{}", rows[3]);
        assert!(rows[4].ends_with("2  66.7 %     0.250     16.0 µs   4.00 (4.00, 4.00)"), "{}", rows[4]);
    }
}
