//! Exporters without a Prometheus: `node_exporter`, `prometheus-pve-exporter`, cAdvisor, scraped as they are.
//!
//! What always holds here: a text of any size and content costs bounded memory and never fails as a whole; lines that
//! cannot be understood are counted.

mod text;

use jiff::Timestamp;

use super::monitor::Link;
pub use super::monitor::{Access, MonitorError, Settings};
use crate::domain::metric::Scrape;
pub use text::{Bounds, read};

/// Scrapes one exporter. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    link: Link,
    path: String,
    bounds: Bounds,
}

impl Client {
    /// Prepares to ask; nothing is sent yet. The address is that of the page with the metrics; without a path in it, it
    /// is `/metrics`. `query` goes with each scrape, as the `params` of a scrape job do.
    ///
    /// # Errors
    /// [`MonitorError::Setup`] if what is configured cannot be used.
    pub fn new(settings: &Settings, query: &[(String, String)]) -> Result<Self, MonitorError> {
        let mut settings = settings.clone();
        let page = std::mem::take(&mut settings.url.prefix);
        let page = if page.is_empty() { "/metrics" } else { &page };
        let query = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(Self {
            link: Link::new("the exporter", &settings)?,
            path: super::monitor::target(page, query),
            bounds: Bounds::default(),
        })
    }

    /// Where it asks.
    pub fn address(&self) -> &str {
        self.link.address()
    }

    /// What the exporter says now. `now` is the time of values that have none of their own.
    ///
    /// # Errors
    /// As [`MonitorError`] describes; [`MonitorError::Malformed`] if nothing in the answer is a metric.
    pub async fn scrape(&self, now: Timestamp) -> Result<Scrape, MonitorError> {
        let body = self.link.body(&self.path).await?;
        let scrape = read(&String::from_utf8_lossy(&body), now, self.bounds);
        if scrape.points.is_empty() && scrape.skipped > 0 {
            return Err(MonitorError::Malformed {
                service: self.link.service(),
                message: format!("{}{} is no page with metrics", self.link.address(), self.path),
            });
        }
        Ok(scrape)
    }
}
