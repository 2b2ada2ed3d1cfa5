#version 300 es
precision highp float;
layout(location = 0) in vec2 corner;
// The upper left corner of the image in clip space, and its two sides as vectors.
uniform vec2 origin;
uniform vec4 sides;
// The part of the image that is drawn: corner and size, as fractions.
uniform vec4 part;
out vec2 at;
void main() {
  at = part.xy + corner * part.zw;
  gl_Position = vec4(origin + corner.x * sides.xy + corner.y * sides.zw, 0.99, 1.0);
}
