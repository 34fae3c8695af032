//! Addresses on the CDN: nothing is sent from here.

use url::Url;

use super::client::Filestack;
use super::encode::percent;
use super::endpoints::at;
use super::handle::Handle;
use super::policy::Grant;
use super::transform::Transform;

/// What stays readable in a task segment; none of it can end the segment.
const IN_TASK: &str = "=:,[]";

impl Filestack {
    /// The address of a file's bytes. With a grant for [`Purpose::Read`](super::Purpose::Read) it works until that ends;
    /// without one, only for applications without security.
    pub fn delivery_url(&self, handle: &Handle, grant: Option<&Grant>) -> Url {
        at(&self.endpoints().cdn, &format!("{}/{handle}", security(grant)))
    }

    /// Like [`delivery_url`](Self::delivery_url), and browsers save the file instead of showing it.
    pub fn download_url(&self, handle: &Handle, grant: Option<&Grant>) -> Url {
        let mut url = self.delivery_url(handle, grant);
        url.set_query(Some("dl=true"));
        url
    }

    /// The address of a transformation of a file; the grant is for [`Purpose::Convert`](super::Purpose::Convert).
    pub fn transform_url(&self, handle: &Handle, transform: &Transform, grant: Option<&Grant>) -> Url {
        at(
            &self.endpoints().cdn,
            &format!("{}{}/{handle}", security(grant), tasks(transform)),
        )
    }

    /// The address of a transformation of a file elsewhere; the grant is for
    /// [`Purpose::ConvertUrl`](super::Purpose::ConvertUrl).
    pub fn transform_external_url(&self, source: &Url, transform: &Transform, grant: Option<&Grant>) -> Url {
        let key = percent(self.api_key().as_str(), "");
        // In quotes, so that commas and slashes belong to it; a quote of its own is encoded twice and stays inside. Escaped
        // altogether as soon as anything has to be: half-escaped, nobody could tell its own escapes from ours.
        let source = source.as_str().replace('"', "%22");
        let plain = percent(&source, ":/");
        let source = if plain == source {
            plain
        } else {
            percent(&source, "")
        };
        at(
            &self.endpoints().cdn,
            &format!("/{key}{}{}/%22{source}%22", security(grant), tasks(transform)),
        )
    }
}

pub(super) fn security(grant: Option<&Grant>) -> String {
    grant.map_or_else(String::new, |grant| {
        format!("/security=p:{},s:{}", grant.policy(), grant.signature())
    })
}

fn tasks(transform: &Transform) -> String {
    transform
        .tasks()
        .iter()
        .map(|task| format!("/{}", percent(&task.to_string(), IN_TASK)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::super::transform::{Color, Crop, Enhance, Fit, Format, Output, Resize, Rotate};
    use super::super::{Credentials, Endpoints, Options, Purpose};
    use super::*;

    fn client() -> Filestack {
        let credentials = Credentials::new("AKEYz", "secret").unwrap();
        Filestack::new(credentials, Endpoints::filestack(), Options::default()).unwrap()
    }

    fn handle() -> Handle {
        Handle::new("KW9EJhYtS6y48Whm2S6D").unwrap()
    }

    #[test]
    fn plain_and_signed_delivery() {
        let (fs, handle) = (client(), handle());
        assert_eq!(
            fs.delivery_url(&handle, None).as_str(),
            "https://cdn.filestackcontent.com/KW9EJhYtS6y48Whm2S6D"
        );
        let grant = fs.grant(
            Purpose::Read { handle: &handle },
            SystemTime::UNIX_EPOCH,
            Duration::from_secs(1_700_000_300),
        );
        let expected = format!(
            "https://cdn.filestackcontent.com/security=p:{},s:{}/KW9EJhYtS6y48Whm2S6D",
            grant.policy(),
            grant.signature()
        );
        assert_eq!(fs.delivery_url(&handle, Some(&grant)).as_str(), expected);
        assert_eq!(
            fs.download_url(&handle, Some(&grant)).as_str(),
            format!("{expected}?dl=true")
        );
    }

    #[test]
    fn transformations_in_the_order_they_were_named() {
        let transform = Transform::new()
            .rotate(Rotate::upright())
            .crop(Crop::new(1, 2, 30, 40).unwrap())
            .resize(Resize::within(200, 100).unwrap().fit(Fit::Crop))
            .enhance(Enhance::FixDark)
            .output(Output::to(Format::Png).background(Color::new("ff0000").unwrap()));
        assert_eq!(
            client().transform_url(&handle(), &transform, None).as_str(),
            "https://cdn.filestackcontent.com/rotate=deg:exif/crop=dim:[1,2,30,40]/resize=width:200,height:100,fit:crop\
             /enhance=preset:fix_dark/output=format:png,background:ff0000/KW9EJhYtS6y48Whm2S6D"
        );
    }

    #[test]
    fn u17_an_external_source_cannot_leave_its_quotes() {
        let transform = Transform::new().resize(Resize::width(10).unwrap());
        let url = |text| {
            client()
                .transform_external_url(&Url::parse(text).unwrap(), &transform, None)
                .to_string()
        };
        assert_eq!(
            url("https://ex.org/a.png"),
            "https://cdn.filestackcontent.com/AKEYz/resize=width:10/%22https://ex.org/a.png%22"
        );
        assert_eq!(
            url("https://ex.org/a,b.png"),
            "https://cdn.filestackcontent.com/AKEYz/resize=width:10/%22https%3A%2F%2Fex.org%2Fa%2Cb.png%22"
        );
        assert_eq!(
            url("https://ex.org/a%2fb?x=/../\"/store=1"),
            "https://cdn.filestackcontent.com/AKEYz/resize=width:10/\
             %22https%3A%2F%2Fex.org%2Fa%252fb%3Fx%3D%2F..%2F%2522%2Fstore%3D1%22"
        );
    }
}
