//! The field as a PNG: black, violet, red, orange, yellow, white from cold to warm.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Colours at equal distances, from the coldest to the warmest.
const COLOURS: [[u8; 3]; 6] =
    [[0, 0, 4], [66, 10, 104], [147, 38, 103], [221, 81, 58], [252, 165, 10], [252, 255, 164]];

/// Writes cells of `0..=1`, row by row, as one pixel each.
///
/// # Errors
/// The error of the file system or the encoder.
pub fn write(path: &Path, width: usize, height: usize, cells: &[f64]) -> Result<(), png::EncodingError> {
    let pixels: Vec<u8> = cells.iter().flat_map(|cell| colour(*cell)).collect();
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()
}

/// The colour of a temperature; those outside `0..=1` take the nearest end.
fn colour(cell: f64) -> [u8; 3] {
    let position = cell.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let index = (position as usize).min(COLOURS.len() - 2);
    let part = position - index as f64;
    let (low, high) = (COLOURS[index], COLOURS[index + 1]);
    std::array::from_fn(|channel| {
        let (low, high) = (f64::from(low[channel]), f64::from(high[channel]));
        (low + part * (high - low)).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_from_end_to_end() {
        assert_eq!(colour(0.0), COLOURS[0]);
        assert_eq!(colour(0.2), COLOURS[1]);
        assert_eq!(colour(1.0), COLOURS[5]);
        assert_eq!(colour(7.0), COLOURS[5]);
        assert_eq!(colour(-1.0), COLOURS[0]);
    }

    #[test]
    fn the_picture_reads_back() {
        let path = std::env::temp_dir().join(format!("mobula-picture-{}.png", std::process::id()));
        write(&path, 2, 1, &[0.0, 1.0]).unwrap();
        let mut reader = png::Decoder::new(std::io::BufReader::new(File::open(&path).unwrap())).read_info().unwrap();
        let mut pixels = [0; 6];
        reader.next_frame(&mut pixels).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(pixels, [0, 0, 4, 252, 255, 164]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(write(Path::new("/nowhere/at/all.png"), 1, 1, &[0.0]).is_err());
    }
}
