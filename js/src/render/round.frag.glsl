#version 300 es
precision highp float;
flat in vec4 color;
uniform float size;
out vec4 pixel;
void main() {
  float inside = (0.5 - length(gl_PointCoord - 0.5)) * size;
  if (inside <= 0.0) discard;
  pixel = color * min(inside, 1.0);
}
