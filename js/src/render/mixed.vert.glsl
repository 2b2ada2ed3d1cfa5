#version 300 es
precision highp float;
// The color of the mixture; its alpha is the highest level of the genes in the cell.
layout(location = 1) in vec4 mixed;
uniform float size;
uniform float opacity;
flat out vec4 color;
void main() {
  color = toned(mixed.rgb) * opacity;
  gl_PointSize = size;
  // Depth by level: the highest levels are on top.
  gl_Position = vec4(at(), placed(0.8 - mixed.a * 1.6), 1.0);
}
