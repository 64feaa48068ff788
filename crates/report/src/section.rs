//! Lists in a document of bounded size: what is most important stays, what is left out is counted.

use minijinja::{Value, context};

/// More items than this are never shown.
const MOST_ITEMS: usize = 5_000;
/// This many items are seen at once; those behind them have to be unfolded.
const UNFOLDED: usize = 12;

/// A list of Markdown items, the most important first; each ends in a newline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    items: Vec<String>,
    total: usize,
}

/// A section as templates see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shown {
    /// How many items there are
    total: usize,
    /// The first of them
    head: String,
    /// Those to be unfolded
    tail: String,
    /// How many these are
    folded: usize,
    /// How many are left out
    left_out: usize,
}

impl Section {
    /// A list of all `things`, each as `item` says it.
    pub(crate) fn new<T>(things: &[T], item: impl FnMut(&T) -> String) -> Section {
        Section { items: things.iter().take(MOST_ITEMS).map(item).collect(), total: things.len() }
    }

    fn shown(self, count: usize) -> Shown {
        let unfolded = if count <= UNFOLDED + 1 { count } else { UNFOLDED };
        Shown {
            total: self.total,
            head: self.items[..unfolded].concat(),
            tail: self.items[unfolded..count].concat(),
            folded: count - unfolded,
            left_out: self.total - count,
        }
    }
}

impl From<Shown> for Value {
    fn from(Shown { total, head, tail, folded, left_out }: Shown) -> Value {
        context! { total, head, tail, folded, left_out }
    }
}

/// What of these sections fits into `bytes`: an equal share for each, then what is left in their order.
pub(crate) fn fit<const COUNT: usize>(sections: [Section; COUNT], bytes: usize) -> [Shown; COUNT] {
    let mut counts = [0; COUNT];
    let mut left = bytes;
    for (section, count) in sections.iter().zip(&mut counts) {
        let mut share = bytes / COUNT;
        let before = share;
        *count = fitting(&section.items, &mut share);
        left -= before - share;
    }
    for (section, count) in sections.iter().zip(&mut counts) {
        *count += fitting(&section.items[*count..], &mut left);
    }
    let mut counts = counts.into_iter();
    sections.map(|section| section.shown(counts.next().unwrap_or_default()))
}

/// How many of the first items fit; takes them from what is left.
fn fitting(items: &[String], left: &mut usize) -> usize {
    let takes = |item: &&String| {
        let rest = left.checked_sub(item.len());
        *left = rest.unwrap_or(*left);
        rest.is_some()
    };
    items.iter().take_while(takes).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_share_the_room() {
        let section = |count: usize| Section::new(&vec!["12345678\n"; count], |item| (*item).to_owned());
        let cases = [
            ([2, 3], 90, [(2, 0), (3, 0)], "everything fits"),
            ([20, 1], 90, [(9, 11), (1, 0)], "the last one has its share, the first what is left"),
            ([20, 20], 90, [(5, 15), (5, 15)], "both are cut"),
            ([1, 20], 8, [(0, 1), (0, 20)], "nothing fits"),
        ];
        for (counts, bytes, want, why) in cases {
            let shown = fit(counts.map(section), bytes);
            let got = shown.map(|it| (it.total - it.left_out, it.left_out));
            assert_eq!(got, want, "{why}");
        }
    }

    #[test]
    fn long_lists_are_folded() {
        for (count, want) in [(12, (12, 0)), (13, (13, 0)), (14, (12, 2))] {
            let [shown] = fit([Section::new(&vec!["x"; count], |item| (*item).to_owned())], 1000);
            assert_eq!((shown.head.len(), shown.folded), want, "{count} items");
        }
    }
}
