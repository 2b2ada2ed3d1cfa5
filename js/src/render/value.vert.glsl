#version 300 es
precision highp float;
layout(location = 1) in float value;
uniform float size;
uniform float opacity;
uniform vec2 range;
uniform vec3 missing;
uniform sampler2D lut;
flat out vec4 color;
void main() {
  // A comparison alone may be optimized away as always true.
  bool known = !isnan(value) && value <= 3.4e38 && value >= -3.4e38;
#ifdef LOG
  float along = sign(value) * log(1.0 + abs(value));
#else
  float along = value;
#endif
  float t = known ? clamp((along - range.x) * range.y, 0.0, 1.0) : 0.0;
  vec3 rgb = known ? texelFetch(lut, ivec2(int(t * 255.0 + 0.5), 0), 0).rgb : missing;
  color = toned(rgb) * opacity;
#ifdef DIM
  // Zeros are translucent. A missing value is not zero.
  if (value == 0.0) color = vec4(missing, 1.0) * 0.22 * opacity;
#endif
  gl_PointSize = size;
  // Depth by value: the highest values are on top, cells without a value below all.
  gl_Position = vec4(at(), placed(known ? 0.8 - t * 1.6 : 0.9), 1.0);
}
