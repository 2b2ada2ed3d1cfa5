#version 300 es
precision highp float;
layout(location = 0) in vec2 corner;
uniform vec4 rect;
out vec2 at;
void main() {
  at = corner;
  gl_Position = vec4(mix(rect.xy, rect.zw, corner), 0.99, 1.0);
}
