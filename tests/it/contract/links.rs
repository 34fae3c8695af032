//! URLs that others open: delivery (§4) and transformations (§6).

use image::{GenericImageView, ImageFormat};
use satchel::filestack::Purpose;
use satchel::filestack::transform::{Crop, Enhance, Fit, Format, Output, Resize, Rotate, Transform};

use super::{Service, everywhere};
use crate::sdk::bench::png;

#[actix_web::test]
async fn our_clients_urls_deliver_and_transform() {
    everywhere("Our own client: links (§4, §6)", async |service| {
        delivery(service).await;
        transformations(service).await;
    })
    .await;
}

async fn delivery(service: &Service) {
    let file = service
        .upload("letter.txt", "text/plain", b"Dear Sir or Madam")
        .await;
    let handle = &file.handle;
    let grant = service.grant(Purpose::Read { handle });
    let url = service.client.delivery_url(handle, Some(&grant));
    assert_eq!(service.get(&url).await.1, "Dear Sir or Madam");
    service.works("signed delivery");

    let url = service.client.download_url(handle, Some(&grant));
    let reply = service.http.get(url).send().await.expect("an answer");
    let disposition = reply.headers().get("content-disposition").cloned();
    let disposition = disposition.expect("a disposition");
    assert!(
        disposition.as_bytes().starts_with(b"attachment"),
        "{disposition:?}"
    );
    service.works("signed download");

    let (status, _) = service.get(&service.client.delivery_url(handle, None)).await;
    assert_eq!(status, 403);
    service.refused("unsigned delivery", status);
}

async fn transformations(service: &Service) {
    let file = service.upload("picture.png", "image/png", &png()).await;
    let handle = &file.handle;
    let grant = service.grant(Purpose::Convert { handle });
    let resize = || Resize::within(10, 10).expect("a size").fit(Fit::Crop);
    let crop = || Crop::new(30, 10, 8, 6).expect("an area");
    for (name, transform, size, format) in [
        (
            "resize",
            Transform::new().resize(Resize::width(20).expect("a width")),
            (20, 13),
            ImageFormat::Png,
        ),
        (
            "resize to fill",
            Transform::new().resize(resize()),
            (10, 10),
            ImageFormat::Png,
        ),
        ("crop", Transform::new().crop(crop()), (8, 6), ImageFormat::Png),
        (
            "rotate",
            Transform::new().rotate(Rotate::by(90).expect("an angle")),
            (40, 60),
            ImageFormat::Png,
        ),
        (
            "enhance",
            Transform::new().enhance(Enhance::Auto),
            (60, 40),
            ImageFormat::Png,
        ),
        (
            "output",
            Transform::new().output(Output::to(Format::Jpg).quality(80).expect("a quality")),
            (60, 40),
            ImageFormat::Jpeg,
        ),
        (
            "chain",
            Transform::new()
                .crop(crop())
                .resize(resize())
                .output(Output::to(Format::Webp)),
            (10, 10),
            ImageFormat::WebP,
        ),
    ] {
        let url = service.client.transform_url(handle, &transform, Some(&grant));
        let (status, bytes) = service.get(&url).await;
        assert_eq!(status, 200, "{name}: {}", String::from_utf8_lossy(&bytes));
        assert_eq!(image::guess_format(&bytes).ok(), Some(format), "{name}");
        let picture = image::load_from_memory(&bytes).expect("the picture can be decoded");
        assert_eq!(picture.dimensions(), size, "{name}");
        service.works(name);
    }

    let reading = service.grant(Purpose::Read { handle });
    let source = service.client.delivery_url(handle, Some(&reading));
    let grant = service.grant(Purpose::ConvertUrl { url: &source });
    let small = Transform::new().resize(Resize::width(3).expect("a width"));
    let url = service
        .client
        .transform_external_url(&source, &small, Some(&grant));
    let (status, bytes) = service.get(&url).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
    let picture = image::load_from_memory(&bytes).expect("the picture can be decoded");
    assert_eq!(picture.width(), 3);
    service.works("transform an external source");
}
