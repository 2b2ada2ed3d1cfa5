#version 300 es
precision highp float;
void main() {
  gl_Position = vec4(at(), 0.0, 1.0);
}
