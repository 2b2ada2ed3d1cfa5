#version 300 es
precision highp float;
flat in vec4 color;
// Direction of the rows of bins (right, down), as long as the side of the point in sides of a bin.
uniform vec2 row;
out vec4 pixel;
void main() {
  vec2 from = gl_PointCoord - 0.5;
  vec2 along = abs(vec2(dot(row, from), dot(vec2(-row.y, row.x), from)));
  // Slightly more than half a side: rounding must leave no holes between bins.
  if (max(along.x, along.y) > 0.502) discard;
  pixel = color;
}
