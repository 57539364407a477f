// Pictures made of pixels: a colour a number, blue above 0, orange below, white at 0.
const BLUE = [0, 114, 178], ORANGE = [213, 94, 0];

export function fill(canvas, [height, width], colour) {
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  for (let i = 0; i < height * width; i += 1) image.data.set([...colour(i), 255], 4 * i);
  context.putImageData(image, 0, 0);
}

export function signed(share) {
  const end = share > 0 ? BLUE : ORANGE;
  return end.map((one) => 255 + (one - 255) * Math.abs(share));
}
