layout(location = 0) in vec2 position;
uniform vec4 scale;
uniform vec2 offset;
vec2 turned(vec4 rows, vec2 point) { return vec2(dot(rows.xy, point), dot(rows.zw, point)); }
// Position of a cell in clip space; during a transition, interpolated between the two layouts.
#ifdef PASSAGE
layout(location = 3) in vec2 earlier;
uniform vec4 scaleBefore;
uniform vec2 offsetBefore;
uniform float share;
vec2 at() {
  return mix(turned(scaleBefore, earlier) + offsetBefore, turned(scale, position) + offset, share);
}
#else
vec2 at() { return turned(scale, position) + offset; }
#endif
