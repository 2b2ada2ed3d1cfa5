#version 300 es
precision mediump float;
in vec2 at;
uniform sampler2D image;
uniform float opacity;
uniform float light;
uniform float contrast;
out vec4 pixel;
void main() {
  // Bitmaps have premultiplied alpha.
  vec4 texel = texture(image, at);
  vec3 gray = vec3(0.5 * texel.a);
  vec3 rgb = ((texel.rgb - gray) * contrast + gray) * light;
  pixel = vec4(clamp(rgb, 0.0, texel.a), texel.a) * opacity;
}
