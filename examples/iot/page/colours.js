// What is cold is blue, what is hot is red, and lightness says the same to who sees no colours.

const COLDEST = 30;
const HOTTEST = 80;
const STOPS = [
  [38, 70, 140],
  [58, 134, 178],
  [126, 188, 170],
  [244, 211, 120],
  [238, 128, 60],
  [190, 24, 40],
];

/** Red, green, blue and alpha of a temperature. */
export function colourOf(celsius) {
  const place = Math.min(Math.max((celsius - COLDEST) / (HOTTEST - COLDEST), 0), 1) * (STOPS.length - 1);
  const below = Math.min(Math.floor(place), STOPS.length - 2);
  const share = place - below;
  return [...STOPS[below].map((part, n) => Math.round(part + (STOPS[below + 1][n] - part) * share)), 255];
}

/** The colours in a row. */
export function paintScale(canvas) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, 1);
  for (let x = 0; x < canvas.width; x += 1) {
    picture.data.set(colourOf(COLDEST + ((HOTTEST - COLDEST) * x) / (canvas.width - 1)), x * 4);
  }
  context.putImageData(picture, 0, 0);
}
