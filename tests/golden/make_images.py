"""Writes the small image files of golden/images, and beside each what Pillow reads in it, as NAME.ppm (P6).

Run with Debian 12's python3-pil (Pillow 9.4): /usr/bin/python3 make_images.py. Pictures are smooth waves of 21x13 pixels,
with sides that no block or byte divides. What the project's rules (data/image.h) take from Pillow and what is computed
here by the rule itself (alpha over white, the upper byte of 16 bits) is said at each.
"""
import math
import struct
import zlib
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parent / "images"
WIDTH, HEIGHT = 21, 13


def wave(x, y, channel):
    return int(127.5 + 120 * math.sin(0.21 * x * (channel + 1) + 0.33 * y + channel))


def picture(mode):
    """A picture in L, RGB, RGBA or CMYK."""
    image = Image.new(mode, (WIDTH, HEIGHT))
    bands = len(image.getbands())
    values = [tuple(wave(x, y, c) for c in range(bands)) for y in range(HEIGHT) for x in range(WIDTH)]
    image.putdata([v[0] for v in values] if bands == 1 else values)
    return image


def over_white(image):
    def mix(alpha, v):
        return (alpha * v + (255 - alpha) * 255 + 127) // 255

    rgb = Image.new("RGB", image.size)
    rgb.putdata([tuple(mix(p[3], v) for v in p[:3]) for p in image.convert("RGBA").getdata()])
    return rgb


def save(name, image, expected=None, **options):
    """The file, and what its reader must find: Pillow's own reading of it unless `expected` is given."""
    image.save(FOLDER / name, **options)
    (expected or Image.open(FOLDER / name).convert("RGB")).save(FOLDER / f"{name}.ppm")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(name, bits, colour, rows, expected, interlace=0, extra=b""):
    """A PNG file made by hand, of kinds that Pillow does not write; rows are bytes."""
    header = struct.pack(">IIBBBBB", expected.width, expected.height, bits, colour, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    (FOLDER / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) +
                                chunk(b"IEND", b""))
    expected.save(FOLDER / f"{name}.ppm")


def sixteen_bits():
    """Grey and RGB with 16 bits; the lower byte must not matter."""
    grey, rgb = picture("L"), picture("RGB")
    write_png("grey16.png", 16, 0, [b"".join(bytes([grey.getpixel((x, y)), (37 * x) % 256]) for x in range(WIDTH))
                                    for y in range(HEIGHT)], grey.convert("RGB"))
    write_png("rgb16.png", 16, 2, [b"".join(bytes([v, (91 * x + y) % 256]) for x in range(WIDTH)
                                            for v in rgb.getpixel((x, y))) for y in range(HEIGHT)], rgb)


def interlaced():
    """Adam7: seven passes, each a smaller picture."""
    rgb = picture("RGB")
    rows = []
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
                           (0, 1, 1, 2)]:
        for y in range(y0, HEIGHT, dy):
            row = b"".join(bytes(rgb.getpixel((x, y))) for x in range(x0, WIDTH, dx))
            if row:
                rows.append(row)
    write_png("interlaced.png", 8, 2, rows, rgb, interlace=1)


def main():
    FOLDER.mkdir(exist_ok=True)
    rgb, grey = picture("RGB"), picture("L")
    palette = rgb.quantize(16)
    save("rgb.png", rgb)
    save("grey.png", grey)
    save("palette.png", palette)
    save("bits1.png", grey.convert("1"))
    save("alpha.png", picture("RGBA"), over_white(picture("RGBA")))
    save("grey_alpha.png", picture("RGBA").convert("LA"), over_white(picture("RGBA").convert("LA")))
    transparent = palette.copy()
    transparent.info["transparency"] = 3
    save("palette_alpha.png", transparent, over_white(transparent))
    sixteen_bits()
    interlaced()
    save("rgb.bmp", rgb)
    save("grey.bmp", grey)
    save("palette.bmp", palette)
    save("bits1.bmp", grey.convert("1"))
    save("rgb.jpg", rgb, quality=92, subsampling=0)
    save("halved.jpg", rgb, quality=92, subsampling=2)
    save("progressive.jpg", rgb, quality=92, subsampling=0, progressive=True)
    save("grey.jpg", grey, quality=92)
    save("cmyk.jpg", picture("CMYK"), quality=92)
    large = Image.new("RGB", (96, 64))
    large.putdata([tuple(wave(x // 3, y // 3, c) for c in range(3)) for y in range(64) for x in range(96)])
    save("resize.png", large)
    large.resize((24, 16), Image.BILINEAR).save(FOLDER / "resize_24x16.ppm")
    large.resize((37, 29), Image.BILINEAR).save(FOLDER / "resize_37x29.ppm")


main()
