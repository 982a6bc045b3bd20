//! Whether a page has colour: everything it paints is looked at, nothing is painted.

use hayro::hayro_interpret::font::{Glyph, GlyphRun};
use hayro::hayro_interpret::pattern::Pattern;
use hayro::hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageData, ImageDrawProps, InterpreterCache,
    InterpreterSettings, Paint, SoftMask, TransformExt, interpret_page,
};
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::{Affine, BezPath, Rect};

/// Channels that differ by no more are gray: rounding, and black mixed from four inks.
const GRAY_SPREAD: u8 = 12;
/// As above, for pictures, where scanners add noise.
const GRAY_SPREAD_PICTURE: u8 = 24;
/// Patterns in patterns are followed so deep.
const PATTERN_DEPTH: u32 = 4;

/// Looks at the pages of one document.
pub(crate) struct ColourFinder<'a> {
    settings: InterpreterSettings,
    cache: InterpreterCache<'a>,
    pages_in_cache: u32,
}

impl<'a> ColourFinder<'a> {
    pub(crate) fn new(settings: InterpreterSettings) -> Self {
        Self { settings, cache: InterpreterCache::new(), pages_in_cache: 0 }
    }

    pub(crate) fn has_colour(&mut self, page: &'a Page<'a>) -> bool {
        self.pages_in_cache += 1;
        if self.pages_in_cache > 16 {
            // What is kept of earlier pages would only grow.
            self.cache = InterpreterCache::new();
            self.pages_in_cache = 1;
        }
        let (width, height) = page.render_dimensions();
        let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let transform = page.initial_transform(true).to_kurbo();
        let mut context = Context::new(transform, area, &self.cache, page.xref(), self.settings.clone());
        let mut looker = Looker { found: false, depth: 0 };
        interpret_page(page, &mut context, &mut looker);
        looker.found
    }
}

struct Looker {
    found: bool,
    depth: u32,
}

impl Looker {
    fn paint(&mut self, paint: &Paint<'_>) {
        if self.found {
            return;
        }
        match paint {
            Paint::Color(color) => {
                let [r, g, b, a] = color.to_rgba().to_rgba8();
                self.found = a > 0 && spread(&[r, g, b]) > GRAY_SPREAD;
            }
            Paint::Pattern(pattern) => match &**pattern {
                Pattern::Shading(shading) => {
                    // Its ends tell enough: a gradient in a gray space has none but gray.
                    self.found = shading.shading.color_space.num_components() > 1;
                }
                Pattern::Tiling(tiling) if self.depth < PATTERN_DEPTH => {
                    self.depth += 1;
                    tiling.interpret(self, Affine::IDENTITY, false);
                    self.depth -= 1;
                }
                Pattern::Tiling(_) => self.found = true,
            },
        }
    }
}

fn spread(channels: &[u8]) -> u8 {
    let max = channels.iter().max().copied().unwrap_or(0);
    max - channels.iter().min().copied().unwrap_or(0)
}

impl<'a> Device<'a> for Looker {
    fn draw_path(&mut self, _: &BezPath, props: DrawProps<'a>, _: &DrawMode) {
        self.paint(&props.paint);
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        if matches!(mode, DrawMode::Invisible) || self.found {
            return;
        }
        self.paint(&props.paint);
        for glyph in run.glyphs() {
            if let Glyph::Type3(drawn) = &**glyph
                && !self.found
                && self.depth < PATTERN_DEPTH
            {
                self.depth += 1;
                drawn.interpret(self, props.transform, glyph.transform(), &props.paint);
                self.depth -= 1;
            }
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, _: ImageDrawProps<'a>) {
        if self.found {
            return;
        }
        match image {
            Image::Stencil(stencil) => {
                let mut paint_found = false;
                stencil.with_stencil(
                    |_, paint| {
                        let mut looker = Looker { found: false, depth: PATTERN_DEPTH };
                        looker.paint(paint);
                        paint_found = looker.found;
                    },
                    Some((1, 1)),
                );
                self.found = paint_found;
            }
            Image::Raster(raster) => {
                let mut found = false;
                raster.with_rgba(
                    |data, _| {
                        if let ImageData::Rgb(rgb) = data {
                            found = rgb.data.chunks_exact(3).any(|pixel| spread(pixel) > GRAY_SPREAD_PICTURE);
                        }
                    },
                    Some((256, 256)),
                );
                self.found = found;
            }
        }
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}
