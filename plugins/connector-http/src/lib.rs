//! Pages through a JSON API at a granted host.

pub mod fetching;
pub mod json;
pub mod paging;

use attain_sdk::{Connector, Http, Page, Request};
use fetching::Settings;

pub struct ConnectorHttp(Settings);

impl Connector for ConnectorHttp {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<ConnectorHttp, String> {
        match settings.defect() {
            Some(defect) => Err(defect),
            None => Ok(ConnectorHttp(settings)),
        }
    }

    fn page(&mut self, request: &Request, http: &dyn Http) -> Result<Page, String> {
        fetching::fetch(&self.0, &request.entity, &request.cursor, http)
    }
}

attain_sdk::register!(connector: ConnectorHttp);

#[cfg(test)]
attain_sdk::test_cases!(connector: ConnectorHttp);
