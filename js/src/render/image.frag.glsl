#version 300 es
precision mediump float;
in vec2 at;
uniform sampler2D image;
uniform float opacity;
uniform float light;
out vec4 pixel;
void main() {
  vec4 texel = texture(image, at);
  // Bitmaps arrive with alpha multiplied in.
  pixel = vec4(texel.rgb * light, texel.a) * opacity;
}
