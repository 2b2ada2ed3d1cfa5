#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
flat in int pie;
uniform float size;
uniform float opacity;
uniform int slices;
// Where each slice ends, in 65,535ths of a turn; the slices of a pie begin at index pie.
uniform usampler2D ends;
uniform sampler2D lut;
out vec4 pixel;
// Color at an angle, in turns clockwise from the top.
vec4 slice(float turn) {
  uint angle = uint(fract(turn) * 65535.0);
  int low = 0;
  int high = slices;
  while (low < high) {
    int middle = (low + high) / 2;
    int at = pie + middle;
    if (texelFetch(ends, ivec2(at & 4095, at >> 12), 0).r > angle) high = middle;
    else low = middle + 1;
  }
  // Without a pie, all ends are 0: the last color is that of cells without a value.
  vec4 entry = texelFetch(lut, ivec2(low & 255, low >> 8), 0);
  return toned(entry.rgb) * (opacity * entry.a);
}
void main() {
  vec2 offset = gl_PointCoord - 0.5;
  float radius = length(offset);
  float inside = (0.5 - radius) * size;
  if (inside <= 0.0) discard;
  float turn = atan(offset.x, -offset.y) / 6.2831853;
  // Sample a quarter of a pixel to each side, which smooths the borders between slices.
  float quarter = 0.25 / (6.2831853 * max(radius * size, 0.5));
  pixel = (slice(turn - quarter) + slice(turn + quarter)) * 0.5 * min(inside, 1.0);
}
