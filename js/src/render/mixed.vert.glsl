#version 300 es
precision highp float;
layout(location = 1) in vec4 mixed;
uniform float size;
uniform float opacity;
flat out vec4 color;
void main() {
  color = toned(mixed.rgb) * opacity;
  gl_PointSize = size;
  gl_Position = vec4(at(), placed(0.8 - mixed.a * 1.6), 1.0);
}
