//! The objects with the highest values of a metric.

use super::{MOST, Metrics};
use crate::{
    domain::{ObjectRef, measure::Shown, template::Of},
    screens::Cx,
};

impl Metrics {
    /// Shows the highest, if that was asked for and they are known.
    pub(super) fn find_top(&mut self, cx: &Cx<'_>) {
        if !self.top {
            return;
        }
        let (Some(of), Some(shown)) = (self.objects.first().and_then(Of::object), self.shown()) else {
            return;
        };
        let top = highest(cx, of, &shown);
        if !top.is_empty() {
            self.objects = top;
            self.left_out = 0;
            self.top = false;
        }
    }
}

/// The highest of a kind, the first one first. Empty where nothing is known.
fn highest(cx: &Cx<'_>, of: Of, shown: &Shown) -> Vec<ObjectRef> {
    let top = match shown {
        Shown::Measure(measure) => cx.store.top(of, *measure, cx.now),
        Shown::Metric(name) => {
            let monitors = &cx.store.monitors;
            let number = monitors
                .columns(of)
                .find(|(_, column)| *column.name == **name)
                .map(|(number, _)| number);
            number.map_or_else(Vec::new, |number| cx.store.top_of_column(of, number))
        }
    };
    top.into_iter().take(MOST).map(|(object, _)| object).collect()
}
