#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
layout(location = 1) in uint code;
uniform float size;
uniform float opacity;
uniform sampler2D lut;
#ifdef PIES
uniform int slices;
flat out int pie;
#ifdef SELECTION
flat out uint lit;
#endif
#else
flat out vec4 color;
#endif
void main() {
  vec4 entry = texelFetch(lut, ivec2(int(code & 255u), int(code >> 8u)), 0);
#ifdef PIES
  pie = gl_VertexID * slices;
#ifdef SELECTION
  lit = selected;
#endif
#else
  color = toned(entry.rgb) * (opacity * entry.a);
#endif
  gl_PointSize = size;
  // Hidden categories are moved outside the clip volume; dimmed ones are behind the others.
  gl_Position = entry.a == 0.0 ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(at(), placed(entry.a < 1.0 ? 0.5 : 0.0), 1.0);
}
