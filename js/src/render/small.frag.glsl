#version 300 es
precision mediump float;
flat in vec4 color;
out vec4 pixel;
void main() {
  pixel = color;
}
