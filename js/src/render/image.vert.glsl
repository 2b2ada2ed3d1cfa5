#version 300 es
precision highp float;
layout(location = 0) in vec2 corner;
// The upper left corner of the picture in clip space, and its two sides from there.
uniform vec2 origin;
uniform vec4 sides;
out vec2 at;
void main() {
  at = corner;
  gl_Position = vec4(origin + corner.x * sides.xy + corner.y * sides.zw, 0.99, 1.0);
}
