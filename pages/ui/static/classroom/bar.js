// The bar of a class over every page of the app: who the student is, what the teacher asks for, help, done and leave.

import "./socket.js";
