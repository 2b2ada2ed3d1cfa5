#version 300 es
precision highp float;
layout(location = 0) in vec2 position;
layout(location = 1) in vec4 mixed;
uniform vec2 scale;
uniform vec2 offset;
uniform float size;
uniform float opacity;
flat out vec4 color;
#ifdef PASSAGE
layout(location = 3) in vec2 earlier;
uniform vec4 before;
uniform float share;
vec2 at() { return mix(earlier * before.xy + before.zw, position * scale + offset, share); }
#else
vec2 at() { return position * scale + offset; }
#endif
void main() {
  color = toned(mixed.rgb) * opacity;
  gl_PointSize = size;
  gl_Position = vec4(at(), placed(0.8 - mixed.a * 1.6), 1.0);
}
