#ifdef SELECTION
#ifdef PIXEL
flat in uint lit;
#define selected lit
#else
layout(location = 2) in uint selected;
#endif
uniform vec3 ground;
// Unselected cells are dimmed: desaturated, faded toward the background and translucent.
vec4 toned(vec3 rgb) {
  if (selected != 0u) return vec4(rgb, 1.0);
  // Compresses the luminance, so that neither bright nor dark colors vanish in the background.
  float gray = mix(0.5, dot(rgb, vec3(0.299, 0.587, 0.114)), 0.4);
  return vec4(mix(mix(vec3(gray), rgb, 0.2), ground, 0.58), 1.0) * 0.5;
}
// Selected cells are in the near half of the depth range, the others in the far half; each keeps its own order.
float placed(float depth) {
  return depth * 0.499 + (selected != 0u ? -0.5 : 0.5);
}
#else
vec4 toned(vec3 rgb) { return vec4(rgb, 1.0); }
float placed(float depth) { return depth; }
#endif
