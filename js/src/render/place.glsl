layout(location = 0) in vec2 position;
uniform vec2 scale;
uniform vec2 offset;
// Where a cell lies in clip space; on the way from another layout, between the two.
#ifdef PASSAGE
layout(location = 3) in vec2 earlier;
uniform vec4 before;
uniform float share;
vec2 at() { return mix(earlier * before.xy + before.zw, position * scale + offset, share); }
#else
vec2 at() { return position * scale + offset; }
#endif
