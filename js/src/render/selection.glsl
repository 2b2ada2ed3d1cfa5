#ifdef SELECTION
layout(location = 2) in uint selected;
uniform vec3 ground;
// What is not selected steps back: little of its colour stays, and what lies behind shines through.
vec4 toned(vec3 rgb) {
  if (selected != 0u) return vec4(rgb, 1.0);
  // Neither the brightest nor the darkest colours vanish in the ground.
  float grey = mix(0.5, dot(rgb, vec3(0.299, 0.587, 0.114)), 0.4);
  return vec4(mix(mix(vec3(grey), rgb, 0.2), ground, 0.58), 1.0) * 0.5;
}
// Selected cells lie in the near half of the depth, in the order that they have among themselves.
float placed(float depth) {
  return depth * 0.499 + (selected != 0u ? -0.5 : 0.5);
}
#else
vec4 toned(vec3 rgb) { return vec4(rgb, 1.0); }
float placed(float depth) { return depth; }
#endif
